package dev.tocsin.query;

import com.google.protobuf.ByteString;
import java.util.List;

/**
 * Where a stream goes on, and whose it is.
 *
 * @param generation whose events they are
 * @param workspace {@link StreamFilter#workspaceDigest} of the stream
 * @param filter {@link StreamFilter#digest} of the stream
 * @param positions by partition
 */
record ResumeToken(
    String generation, ByteString workspace, ByteString filter, List<EventPosition> positions) {}
