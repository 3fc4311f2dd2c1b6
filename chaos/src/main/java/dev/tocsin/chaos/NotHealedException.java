package dev.tocsin.chaos;

/** Something did not come about in the time that it may take. The message says what is wrong. */
final class NotHealedException extends Exception {
  private static final long serialVersionUID = 1;

  NotHealedException(String message) {
    super(message);
  }
}
