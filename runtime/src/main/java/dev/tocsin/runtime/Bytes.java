package dev.tocsin.runtime;

import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A message as it came, decompressed. Thread-safe. */
final class Bytes implements Marshaller<byte[]> {
  @Override
  public InputStream stream(byte[] message) {
    return new ByteArrayInputStream(message);
  }

  /** As a parser of messages does it: what cannot be decompressed is INTERNAL. */
  @Override
  public byte[] parse(InputStream message) {
    try {
      return message.readAllBytes();
    } catch (IOException e) {
      throw Status.INTERNAL.withDescription("cannot be read").withCause(e).asRuntimeException();
    }
  }
}
