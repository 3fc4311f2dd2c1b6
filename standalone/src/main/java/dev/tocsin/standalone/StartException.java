package dev.tocsin.standalone;

/** It did not come up. The message is a line for whoever started it; nothing else need be shown. */
public final class StartException extends Exception {
  StartException(String message, Throwable cause) {
    super(message, cause);
  }
}
