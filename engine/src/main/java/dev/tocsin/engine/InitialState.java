package dev.tocsin.engine;

import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;

/** What a partition begins with, before its first entry. */
public final class InitialState {
  private InitialState() {}

  /** Nothing applied, nothing counted. */
  public static PartitionState partition() {
    return PartitionState.newBuilder().build();
  }

  /** The default rules as version 0: the version 1 that the log begins with takes their place. */
  public static Rules rules() {
    Rules rules = DefaultRules.read();
    rules.setVersion(0);
    return rules;
  }
}
