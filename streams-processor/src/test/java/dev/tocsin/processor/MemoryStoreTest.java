package dev.tocsin.processor;

import dev.tocsin.engine.DigestSum;
import dev.tocsin.engine.FoldStore;
import dev.tocsin.engine.MemoryStore;

/** The store in the heap, which others are compared with, keeps the contract itself. */
class MemoryStoreTest implements FoldStoreContract {
  private final MemoryStore store = new MemoryStore();

  @Override
  public FoldStore store() {
    return store;
  }

  @Override
  public void reopen() {}

  @Override
  public void flush() {}

  @Override
  public DigestSum digest() {
    return store.digest();
  }
}
