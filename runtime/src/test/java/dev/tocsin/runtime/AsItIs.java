package dev.tocsin.runtime;

import io.grpc.CallOptions;
import io.grpc.Compressor;
import io.grpc.CompressorRegistry;
import java.io.OutputStream;

/** Says gzip and sends what it is given. */
final class AsItIs implements Compressor {
  /** For a channel that has {@link #registry()}. */
  static final CallOptions SENT_AS_GZIP = CallOptions.DEFAULT.withCompression("gzip");

  static CompressorRegistry registry() {
    CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
    registry.register(new AsItIs());
    return registry;
  }

  @Override
  public String getMessageEncoding() {
    return "gzip";
  }

  @Override
  public OutputStream compress(OutputStream plain) {
    return plain;
  }
}
