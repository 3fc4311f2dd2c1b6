package dev.tocsin.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** One run of the command, as a script sees it. */
record CommandRun(int exitCode, String out, String err) {
  static CommandRun of(String... args) {
    return with(new ByteArrayInputStream(new byte[0]), false, args);
  }

  /** With standard input, and with or without a person who looks. */
  static CommandRun with(InputStream in, boolean shown, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            in,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            shown,
            shown,
            120);
    int exitCode = TocsinMain.run(args, terminal);
    return new CommandRun(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  JsonObject json() {
    return JsonParser.parseString(out).getAsJsonObject();
  }
}
