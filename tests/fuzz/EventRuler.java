import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/** Answers for each line, a pattern and an event separated by a tab, whether the open rule engine matches them. */
class EventRuler {
    public static void main(String[] arguments) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var pair = line.split("\t");
            System.out.println(answer(pair[0], pair[1]));
        }
    }

    private static String answer(String pattern, String event) {
        try {
            var machine = new Machine();
            machine.addRule("rule", pattern);
            return String.valueOf(!machine.rulesForJSONEvent(event).isEmpty());
        } catch (Exception problem) {
            return "invalid: " + String.valueOf(problem.getMessage()).replace('\n', ' ');
        }
    }
}
