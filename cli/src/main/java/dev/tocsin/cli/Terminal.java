package dev.tocsin.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads and writes, in UTF-8 whatever the locale. Thread-safe, as its streams are.
 *
 * @param in standard input
 * @param out for results
 * @param err for everything else
 * @param outShown whether a person looks at {@code out}: colours are for them only
 * @param errShown the same of {@code err}: the progress bar is for them only
 * @param columns how wide a line may be
 */
record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean outShown,
    boolean errShown,
    int columns) {
  private static final int COLUMNS_DEFAULT = 120;
  private static final int COLUMNS_MIN = 60;
  private static final int OUT_BYTES = 1 << 16;
  private static final String CLEAR_LINE = "\r\u001b[2K";

  /**
   * This process's own. The system properties {@code tocsin.stdout.terminal} and {@code
   * tocsin.stderr.terminal}, which a launcher can set by {@code test -t}, say whether a person
   * looks; without them the process looks for itself as well as Java lets it.
   */
  static Terminal system() {
    boolean plain = System.getenv("NO_COLOR") != null || "dumb".equals(System.getenv("TERM"));
    return new Terminal(
        System.in,
        utf8(FileDescriptor.out, OUT_BYTES, false),
        utf8(FileDescriptor.err, 1024, true),
        !plain && terminal("tocsin.stdout.terminal", 1),
        !plain && terminal("tocsin.stderr.terminal", 2),
        columnsOf(System.getenv("COLUMNS")));
  }

  /** A line for people, on standard error; a progress bar that stands there is wiped first. */
  void say(String line) {
    err.println((errShown ? CLEAR_LINE : "") + line);
    err.flush();
  }

  /** {@code text} in colour, if a person looks at standard output. */
  String colored(String text, int sgr) {
    return outShown && sgr != 0 ? "\u001b[" + sgr + "m" + text + "\u001b[0m" : text;
  }

  /**
   * Text that came from elsewhere, safe to show: control characters, with which it could move the
   * cursor or end the line, are replaced.
   */
  static String clean(String text) {
    if (text.chars().noneMatch(Character::isISOControl)) {
      return text;
    }
    StringBuilder clean = new StringBuilder(text.length());
    text.chars().forEach(c -> clean.append(Character.isISOControl(c) ? '\ufffd' : (char) c));
    return clean.toString();
  }

  PrintWriter outWriter() {
    return new PrintWriter(out, true, StandardCharsets.UTF_8);
  }

  PrintWriter errWriter() {
    return new PrintWriter(err, true, StandardCharsets.UTF_8);
  }

  private static PrintStream utf8(FileDescriptor descriptor, int bytes, boolean flushing) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(descriptor), bytes),
        flushing,
        StandardCharsets.UTF_8);
  }

  private static boolean terminal(String property, int descriptor) {
    String told = System.getProperty(property);
    if (told != null) {
      return Boolean.parseBoolean(told);
    }
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      return false; // no /proc here: only the launcher knows
    }
  }

  private static int columnsOf(String columns) {
    if (columns == null || !columns.matches("\\d{1,4}")) {
      return COLUMNS_DEFAULT;
    }
    return Math.max(COLUMNS_MIN, Integer.parseInt(columns));
  }
}
