package dev.tocsin.runtime;

import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What stands before a server: who may call it, how much, and by which encryption. Each part that
 * is not there lets everybody through.
 */
public interface Guards {
  /** For the listener; empty if it is not encrypted. */
  Optional<SslContext> tls();

  /**
   * What lets in who shows a good token; empty if nobody is asked.
   *
   * @param closed names of services that are not for everyone
   */
  default Optional<ServerInterceptor> tokens(Predicate<String> closed) {
    return Optional.empty();
  }

  /**
   * What holds callers to their quotas, to stand behind what tells who calls; empty if nobody has
   * one.
   *
   * @param bounded names of services that have quotas
   */
  default Optional<ServerInterceptor> quotas(Predicate<String> bounded) {
    return Optional.empty();
  }

  /** Which calls get a line in the log. */
  default LoggedCalls logged() {
    return LoggedCalls.OFF;
  }
}
