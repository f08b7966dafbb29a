"""The actions of SNS on subscriptions: subscribe, confirm, change, list and end."""

from __future__ import annotations

from localbus.ids import new_id
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns import subscription_attributes
from localbus.sns.errors import invalid, not_authorized, not_found
from localbus.sns.notification import confirmation
from localbus.sns.state import Sns
from localbus.sns.subscription import Subscription
from localbus.sns.subscription_attributes import CONFIRMED_BY_LINK, check_endpoint, must_confirm


def subscribe(sns: Sns, params: Params, caller: Caller) -> Params:
    """Subscribe."""
    keys = {"sns:protocol": params["Protocol"], "sns:endpoint": params.get("Endpoint", "")}
    topic = sns.find(params["TopicArn"], caller, "Subscribe", keys=keys)
    protocol, endpoint = params["Protocol"], params.get("Endpoint", "")
    subscriptions = sns.topics.subscriptions_of(topic)
    check_endpoint(protocol, endpoint, topic, len(subscriptions))
    if protocol == "application" and sns.platforms.find_endpoint(endpoint) is None:
        raise invalid(f"Endpoint Reason: Endpoint does not exist for endpoint arn{endpoint}")  # so AWS spells it
    given, where = params.get("Attributes", {}), "Attributes Reason: "
    subscription = sns.topics.new_subscription(topic, protocol, endpoint, caller)
    subscription_attributes.change(subscription, given, where=where)
    existing = next((one for one in subscriptions if (one.protocol, one.endpoint) == (protocol, endpoint)), None)
    if existing is not None:
        if any(existing.attribute(name) != value for name, value in subscription.attributes.items()):
            raise invalid(f"{where}Subscription already exists with different attributes")
        subscription = existing
    else:
        subscription.confirmed = not must_confirm(protocol, endpoint, caller)
        sns.topics.add(subscription)
    if not subscription.confirmed:
        _send_confirmation(sns, subscription, caller, "SubscriptionConfirmation")
    if existing is None:
        sns.publisher.replay(subscription)
    shown = subscription.confirmed or params.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": subscription.arn if shown else "pending confirmation"}


def confirm_subscription(sns: Sns, params: Params, caller: Caller) -> Params:
    """ConfirmSubscription. The token of an UnsubscribeConfirmation restores the subscription.

    The token is enough: of the topic's ARN only the region must be right (recorded of AWS).
    """
    subscription = sns.topics.by_token(params["Token"])
    if params["TopicArn"].split(":")[3:4] != [subscription.topic.region]:
        raise invalid("Topic")
    was_pending = not subscription.confirmed
    if was_pending:
        subscription.confirmed, subscription.authenticated = True, caller.signed
    flag = params.get("AuthenticateOnUnsubscribe", "false").lower()
    if flag not in {"true", "false"}:
        raise invalid("AuthenticateOnUnsubscribe Reason: must be true or false")
    subscription.authenticate_on_unsubscribe = flag == "true" and caller.signed
    sns.topics.add(subscription)
    if was_pending:
        sns.publisher.replay(subscription)
    return {"SubscriptionArn": subscription.arn}


def unsubscribe(sns: Sns, params: Params, caller: Caller) -> Params:
    """Unsubscribe. A missing subscription counts as ended.

    Unless its owner ends the subscription, its endpoint gets a message with a link that restores it.
    """
    subscription = sns.topics.find_subscription(params["SubscriptionArn"])
    if subscription is None:
        return {}
    if subscription.authenticate_on_unsubscribe and (
        not caller.signed or caller.account not in {subscription.owner, subscription.topic.account}
    ):
        raise not_authorized(caller.account, "Unsubscribe", subscription.arn)
    sns.topics.remove(subscription)
    by_owner = caller.signed and caller.account == subscription.owner
    if subscription.protocol in CONFIRMED_BY_LINK and subscription.confirmed and not by_owner:
        _send_confirmation(sns, subscription, caller, "UnsubscribeConfirmation")
    return {}


def get_subscription_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetSubscriptionAttributes."""
    return {"Attributes": subscription_attributes.describe(_accessible(sns, params, caller), sns.clock.now())}


def set_subscription_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetSubscriptionAttributes."""
    subscription = _accessible(sns, params, caller)
    given = {params["AttributeName"]: params.get("AttributeValue", "")}
    subscription_attributes.change(subscription, given)
    sns.topics.save_subscription(subscription)
    if "ReplayPolicy" in given:
        sns.publisher.replay(subscription)
    return {}


def list_subscriptions(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListSubscriptions."""
    scope = (caller.account, caller.region)
    return _page([one for one in sns.topics.subscriptions() if (one.owner, one.topic.region) == scope], params)


def list_subscriptions_by_topic(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListSubscriptionsByTopic."""
    topic = sns.find(params["TopicArn"], caller, "ListSubscriptionsByTopic")
    return _page([one for one in sns.topics.subscriptions() if one.topic is topic], params)


def _page(subscriptions: list[Subscription], params: Params) -> Params:
    return list_page("Subscriptions", subscriptions, params, key=lambda one: one.arn, show=_summary)


def _summary(subscription: Subscription) -> Params:
    return {
        "SubscriptionArn": subscription.arn if subscription.confirmed else "PendingConfirmation",
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.shown_endpoint,
        "TopicArn": subscription.topic.arn,
    }


def _accessible(sns: Sns, params: Params, caller: Caller) -> Subscription:
    """Return a subscription that the caller or the caller's topic owns. Raises AwsError."""
    subscription = sns.topics.subscription(params["SubscriptionArn"])
    if subscription.topic.region != caller.region:
        raise not_found("Subscription")
    if caller.account not in {subscription.owner, subscription.topic.account}:
        raise not_authorized(caller.account, "GetSubscriptionAttributes", subscription.arn)
    return subscription


def _send_confirmation(sns: Sns, subscription: Subscription, caller: Caller, kind: str) -> None:
    token = sns.topics.send_token(subscription)
    given = {"message_id": new_id(), "at": sns.clock.now(), "base_url": caller.base_url}
    document = confirmation(kind, subscription.topic.arn, subscription.arn, token, **given)
    sns.publisher.confirm(subscription, document, caller.base_url)
