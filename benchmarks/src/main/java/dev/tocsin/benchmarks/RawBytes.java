package dev.tocsin.benchmarks;

import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.InputStream;

/**
 * Sends requests that are serialized already: the load generator shares its machine with what it
 * measures.
 */
final class RawBytes implements MethodDescriptor.Marshaller<byte[]> {
  private static final class Message extends ByteArrayInputStream implements KnownLength {
    Message(byte[] bytes) {
      super(bytes);
    }
  }

  /** The same method, with requests as bytes. */
  static <Q, R> MethodDescriptor<byte[], R> of(MethodDescriptor<Q, R> method) {
    return method.toBuilder(new RawBytes(), method.getResponseMarshaller()).build();
  }

  @Override
  public InputStream stream(byte[] value) {
    return new Message(value);
  }

  @Override
  public byte[] parse(InputStream stream) {
    throw new UnsupportedOperationException("a client reads no requests");
  }
}
