package dev.tocsin.cli;

/** x. */
public final class TocsinMain {
  private TocsinMain() {}

  public static void main(String[] args) {}
}
