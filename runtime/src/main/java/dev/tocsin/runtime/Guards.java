package dev.tocsin.runtime;

import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.util.Optional;
import java.util.function.Predicate;

/** What stands before a server: who may call it, how much, and by which encryption. */
public interface Guards {
  /** For the listener; empty if it is not encrypted. */
  Optional<SslContext> tls();

  /**
   * What lets in who shows a good token; empty if nobody is asked.
   *
   * @param closed names of services that are not for everyone
   */
  Optional<ServerInterceptor> tokens(Predicate<String> closed);

  /**
   * What holds callers to their quotas; to stand behind what tells who calls.
   *
   * @param bounded names of services that have quotas
   */
  ServerInterceptor quotas(Predicate<String> bounded);

  /** Which calls get a line in the log. */
  LoggedCalls logged();
}
