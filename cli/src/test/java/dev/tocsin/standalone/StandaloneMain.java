package dev.tocsin.standalone;

import dev.tocsin.cli.FakeStandalone;

/** What the demo's test finds under the name of the real one, which the cli does not depend on. */
public final class StandaloneMain {
  private StandaloneMain() {}

  /** As the real one. */
  public static void main(String[] args) throws Exception {
    FakeStandalone.main(args);
  }
}
