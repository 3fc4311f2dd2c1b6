package dev.tocsin.broker;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line of a child that runs on this JVM's own java and class path. */
public final class ChildJvm {
  private ChildJvm() {}

  /**
   * A command line.
   *
   * @param main the main class, by its full name
   * @param flags for the JVM
   */
  public static List<String> command(String main, List<String> flags, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(List.of("-cp", classpath(), main));
    command.addAll(arguments);
    return command;
  }

  /** Surefire hides the classpath in a jar's manifest; it then says it by this property. */
  private static String classpath() {
    String underSurefire = System.getProperty("surefire.test.class.path");
    return underSurefire != null ? underSurefire : System.getProperty("java.class.path");
  }
}
