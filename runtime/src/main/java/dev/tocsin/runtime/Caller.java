package dev.tocsin.runtime;

import io.grpc.Context;

/**
 * Who calls: the workspace within which everything happens, and the principal by name.
 *
 * @param workspace of the caller; {@code default} where nobody is asked who they are
 * @param principal the caller's name, for logs and quotas
 */
public record Caller(String workspace, String principal) {
  /** The caller where nobody is asked who they are. */
  public static final Caller ANONYMOUS = new Caller("default", "anonymous");

  private static final Context.Key<Caller> KEY = Context.keyWithDefault("caller", ANONYMOUS);

  /** The caller of the gRPC call that this thread serves. */
  public static Caller current() {
    return KEY.get();
  }

  /**
   * Whether nobody was asked. A token may name one who is called as {@link #ANONYMOUS} is; that is
   * another.
   */
  @SuppressWarnings("ReferenceEquality")
  public boolean isNobodyAsked() {
    return this == ANONYMOUS;
  }

  /** Who calls, for whoever stood there before that was known. Thread-safe. */
  static final class Told {
    private static final Context.Key<Told> TOLD = Context.key("caller-told");

    private volatile Caller caller = ANONYMOUS;

    Context in(Context context) {
      return context.withValue(TOLD, this);
    }

    Caller caller() {
      return caller;
    }
  }

  /** A context in which {@link #current} gives this caller. */
  public Context in(Context context) {
    Told told = Told.TOLD.get(context);
    if (told != null) {
      told.caller = this;
    }
    return context.withValue(KEY, this);
  }
}
