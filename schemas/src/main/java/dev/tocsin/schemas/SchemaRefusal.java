package dev.tocsin.schemas;

/** Why a published schema is not taken, and so stays unknown. */
public enum SchemaRefusal {
  /** Its key is not a fingerprint of 8 bytes, or it has no value. */
  MALFORMED,
  /** More than {@link WriterSchema#BYTES_MAX}. */
  TOO_LARGE,
  /** It nests too deeply, would expand to too much, or contains itself. */
  TOO_COMPLEX,
  /** No Avro schema. */
  UNREADABLE,
  /** The schema of another record. */
  OTHER_RECORD,
  /** Its own fingerprint is not its key. */
  OTHER_FINGERPRINT,
  /** What it writes cannot be read as the record that this software knows. */
  INCOMPATIBLE,
  /** {@link Codec#LEARNED_MAX} are known already. */
  TOO_MANY
}
