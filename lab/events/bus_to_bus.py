"""A bus can be the target of a rule on another bus."""

from orderboard.lab import EVENTS, Experiment, Json, Name

lab = Experiment(
    claim="A rule may send events to another bus, where rules of that bus apply, and the event keeps its source and "
    "detail.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html",
    means="Give each team a bus: the shop forwards what others may see, and each team writes rules on its own bus.",
)
cashier, finance, you = lab.actor("cashier"), lab.actor("finance"), lab.you
shop, office = lab.bus("shop"), lab.bus("office")

lab.step("The shop's bus forwards paid orders to the office's bus, by a role that may put events there.")
iam = you.client("iam")
trust = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sts:AssumeRole"}
role = iam.create_role(
    RoleName=Name("forward"), AssumeRolePolicyDocument=Json({"Version": "2012-10-17", "Statement": [trust]})
)
lab.remove("iam", "delete_role", RoleName=Name("forward"))
may_put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": office.arn}
policy = Json({"Version": "2012-10-17", "Statement": [may_put]})
iam.put_role_policy(RoleName=Name("forward"), PolicyName="put", PolicyDocument=policy)
lab.remove("iam", "delete_role_policy", RoleName=Name("forward"), PolicyName="put")
forward = lab.rule("forward", bus=shop, EventPattern={"detail": {"state": ["paid"]}})
lab.target_arn(forward, "office", office.arn, bus=shop, RoleArn=role["Role.Arn"])

queue = lab.queue("finance")
books = lab.rule("books", bus=office, EventPattern={"source": ["shop"]})
lab.target(books, queue, bus=office, InputPath="$.detail.number")

lab.step("The cashier puts an order that is placed and one that is paid on the shop's bus.")
cashier.events.put_events(
    Entries=[shop.entry({"number": 1, "state": "placed"}), shop.entry({"number": 2, "state": "paid"})]
)
lab.check("Finance gets the paid one from its own bus", finance.receive_all(queue.url, count=1, idle_s=10), ["2"])
