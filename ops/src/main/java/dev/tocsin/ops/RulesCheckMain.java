package dev.tocsin.ops;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * {@code tocsin rules check [--json] FILE}: checks a rules document, {@code -} for standard input,
 * without any server. Prints each fault as {@code FILE:LINE:COLUMN: MESSAGE} on standard output.
 * Exit codes: 0 no faults, 1 faults or an unreadable file, 2 a wrong command line.
 */
public final class RulesCheckMain {
  private static final int EXIT_FAULTS = 1;
  private static final int EXIT_USAGE = 2;
  private static final String USAGE =
      """
      Usage: tocsin rules check [--json] FILE
      Checks a rules document without a server; - reads standard input. docs/RULES.md says what it may hold.
      Prints each fault as FILE:LINE:COLUMN: MESSAGE, or with --json one object a line.
      Exit codes: 0 no faults, 1 faults, 2 the command line is wrong.
      """;

  private RulesCheckMain() {}

  /** Runs and exits. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(args, System.in, out, err));
  }

  static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
    List<String> rest = new ArrayList<>(Arrays.asList(args));
    boolean json = rest.remove("--json");
    if (rest.contains("--help") || rest.contains("-h")) {
      out.print(USAGE);
      return 0;
    }
    if (rest.size() != 1 || (rest.get(0).startsWith("-") && !rest.get(0).equals("-"))) {
      err.print(USAGE);
      return EXIT_USAGE;
    }
    String file = rest.get(0);
    String text;
    try {
      text = read(file, in);
    } catch (NoSuchFileException e) {
      err.println("tocsin: " + file + ": no such file");
      return EXIT_FAULTS;
    } catch (CharacterCodingException e) {
      err.println("tocsin: " + file + ": is not UTF-8");
      return EXIT_FAULTS;
    } catch (IOException e) {
      err.println("tocsin: " + file + ": cannot be read: " + e.getMessage());
      return EXIT_FAULTS;
    }
    List<RulesDocument.Fault> faults = RulesDocument.parse(text).faults();
    faults.forEach(fault -> out.println(json ? json(file, fault) : file + ":" + fault));
    if (faults.isEmpty()) {
      err.println(file + ": no faults");
    }
    return faults.isEmpty() ? 0 : EXIT_FAULTS;
  }

  private static String read(String file, InputStream in) throws IOException {
    byte[] bytes;
    try (InputStream from = file.equals("-") ? in : Files.newInputStream(Path.of(file))) {
      bytes = from.readNBytes(RulesDocument.BYTES_MAX + 1); // one too many is told as a fault
    }
    if (bytes.length > RulesDocument.BYTES_MAX) {
      return new String(bytes, StandardCharsets.UTF_8); // it may be cut within a character
    }
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  private static String json(String file, RulesDocument.Fault fault) {
    return "{\"file\":%s,\"line\":%d,\"column\":%d,\"message\":%s}"
        .formatted(quoted(file), fault.line(), fault.column(), quoted(fault.message()));
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\' || c < ' ') {
                quoted.append("\\u%04x".formatted(c));
              } else {
                quoted.append((char) c);
              }
            });
    return quoted.append('"').toString();
  }
}
