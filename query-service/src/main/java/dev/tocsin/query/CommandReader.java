package dev.tocsin.query;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.MergeIncident;
import dev.tocsin.schemas.MergedFrom;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.UpdateIncident;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.Locale;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;

/**
 * Makes an entry of the log from a caller's request: checks it, names it, hashes what it asks for,
 * and finds its route. Each method throws INVALID_ARGUMENT with every violation, or NOT_FOUND for
 * an id that was never given here. Thread-safe.
 *
 * <p>Two hashes are made here, each the first 128 bits of SHA-256 over its parts: the content, over
 * the kind of command and the request's bytes without its request id, map keys in order; and the
 * group of a created incident, over {@code create}, the workspace and the idempotency key. The
 * first 64 bits of the group are its route.
 */
final class CommandReader {
  /** Of one command, as it is encoded for the log: what an alert may have. */
  static final int COMMAND_BYTES_MAX = 256 << 10;

  static {
    GeneratedClasses.trust();
  }

  /** What a merge's second command has before the request id. */
  private static final String MERGED_FROM = "merged-from ";

  private final Clock clock;

  CommandReader(Clock clock) {
    this.clock = clock;
  }

  CommandEntry read(CreateIncidentRequest request) {
    CommandCheck.check(request);
    String requestId = givenOrMade(request.getRequestId());
    String idempotencyKey =
        request.getIdempotencyKey().isEmpty() ? requestId : request.getIdempotencyKey();
    Key128 group =
        new Sha256().text("create").text(Caller.current().workspace()).text(idempotencyKey).key();
    CreateIncident body =
        CreateIncident.newBuilder()
            .setGroup(group)
            .setTitle(request.getTitle())
            .setDescription(request.getDescription())
            .setSeverity(severity(request.getSeverity()))
            .setType(type(request.getType()))
            .setSource(request.getSource())
            .setLabels(request.getLabelsMap())
            .setMetadata(request.getMetadataMap())
            .setAffectedResources(request.getAffectedResourcesList())
            .build();
    return entry(
        command(requestId, body)
            .setContent(content(CommandKind.CREATE, request.toBuilder().clearRequestId().build()))
            .setRoute(ByteBuffer.wrap(group.bytes()).getLong()));
  }

  CommandEntry read(UpdateIncidentRequest request) {
    CommandCheck.check(request);
    Key128 id = ours(request.getId());
    UpdateIncident.Builder body =
        UpdateIncident.newBuilder()
            .setSetLabels(request.getLabelsMap())
            .setRemoveLabels(request.getRemoveLabelsList());
    if (request.hasState()) {
      body.setState(state(request.getState()));
    }
    if (request.hasSeverity()) {
      body.setSeverity(severity(request.getSeverity()));
    }
    if (request.hasTitle()) {
      body.setTitle(request.getTitle());
    }
    if (request.hasDescription()) {
      body.setDescription(request.getDescription());
    }
    if (request.hasAssignee()) {
      body.setAssignee(request.getAssignee());
    }
    var named = request.toBuilder().setId(IncidentId.text(id)).clearRequestId().build();
    return existing(
        id,
        command(givenOrMade(request.getRequestId()), body.build())
            .setContent(content(CommandKind.UPDATE, named))
            .setExpectedRevision(request.getExpectedRevision()));
  }

  CommandEntry read(ResolveIncidentRequest request) {
    CommandCheck.check(request);
    Key128 id = ours(request.getId());
    UpdateIncident body =
        UpdateIncident.newBuilder()
            .setState(IncidentState.RESOLVED)
            .setResolution(request.getResolution())
            .build();
    var named = request.toBuilder().setId(IncidentId.text(id)).clearRequestId().build();
    return existing(
        id,
        command(givenOrMade(request.getRequestId()), body)
            .setContent(content(CommandKind.RESOLVE, named))
            .setExpectedRevision(request.getExpectedRevision()));
  }

  CommandEntry read(AddNoteRequest request) {
    CommandCheck.check(request);
    Key128 id = ours(request.getId());
    AddNote body = AddNote.newBuilder().setText(request.getText()).build();
    var named = request.toBuilder().setId(IncidentId.text(id)).clearRequestId().build();
    return existing(
        id,
        command(givenOrMade(request.getRequestId()), body)
            .setContent(content(CommandKind.NOTE, named))
            .setExpectedRevision(request.getExpectedRevision()));
  }

  /** The request as it is meant: both ids in canonical text, and a request id. */
  MergeIncidentRequest read(MergeIncidentRequest request) {
    CommandCheck.check(request);
    return request.toBuilder()
        .setId(IncidentId.text(ours(request.getId())))
        .setInto(IncidentId.text(ours(request.getInto())))
        .setRequestId(givenOrMade(request.getRequestId()))
        .build();
  }

  /**
   * The first of a merge's two commands, of a request that was {@linkplain
   * #read(MergeIncidentRequest) read}.
   *
   * @param title the other incident's
   */
  CommandEntry merge(MergeIncidentRequest request, String title) {
    Key128 id = ours(request.getId());
    return existing(
        id,
        command(request.getRequestId(), UpdateIncident.newBuilder().build())
            .setMerge(new MergeIncident(ours(request.getInto()), title))
            .setContent(content(CommandKind.MERGE, request.toBuilder().clearRequestId().build()))
            .setExpectedRevision(request.getExpectedRevision()));
  }

  /**
   * The second one, to the other incident, under a request id that follows from the first one's.
   *
   * @param title of the incident that is merged
   */
  CommandEntry mergedFrom(MergeIncidentRequest request, String title) {
    return existing(
        ours(request.getInto()),
        command(MERGED_FROM + request.getRequestId(), UpdateIncident.newBuilder().build())
            .setMergedFrom(new MergedFrom(ours(request.getId()), title))
            .setContent(content(CommandKind.MERGE, request.toBuilder().clearRequestId().build())));
  }

  /** What all commands have in common. */
  private Command.Builder command(String requestId, SpecificRecord body) {
    Caller caller = Caller.current();
    return Command.newBuilder()
        .setWorkspace(caller.workspace())
        .setActor(caller.principal())
        .setRequestId(requestId)
        .setReceivedAtMs(clock.millis())
        .setBody(body);
  }

  private static CommandEntry existing(Key128 id, Command.Builder command) {
    return entry(command.setIncident(id).setRoute(IncidentId.route(id)));
  }

  private static CommandEntry entry(Command.Builder command) {
    CommandEntry entry = new CommandEntry(command.build());
    if (entry.bytes().length > COMMAND_BYTES_MAX) {
      throw Errors.invalid(
          "command",
          String.format(
              Locale.ROOT,
              "is %,d bytes long as a whole; at most %,d",
              entry.bytes().length,
              COMMAND_BYTES_MAX));
    }
    return entry;
  }

  private static String givenOrMade(String requestId) {
    return requestId.isEmpty() ? UUID.randomUUID().toString() : requestId;
  }

  /** The id that {@code text} writes; any UUID of another version is nobody's. */
  private static Key128 ours(String text) {
    Key128 id = IncidentId.parse(text).orElseThrow();
    if (!IncidentId.isOurs(id)) {
      throw Errors.notFound("there is no incident " + text);
    }
    return id;
  }

  private static Key128 content(CommandKind kind, MessageLite request) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(request.getSerializedSize());
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization(); // maps in the order of their keys
    try {
      request.writeTo(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return new Sha256().text(kind.text()).bytes(bytes.toByteArray()).key();
  }

  private static Severity severity(dev.tocsin.proto.incidents.Severity severity) {
    return Severity.valueOf(severity.name().substring("SEVERITY_".length()));
  }

  private static IncidentState state(dev.tocsin.proto.incidents.IncidentState state) {
    return IncidentState.valueOf(state.name().substring("INCIDENT_STATE_".length()));
  }

  private static IncidentType type(dev.tocsin.proto.incidents.IncidentType type) {
    return type == dev.tocsin.proto.incidents.IncidentType.INCIDENT_TYPE_UNSPECIFIED
        ? IncidentType.UNKNOWN
        : IncidentType.valueOf(type.name().substring("INCIDENT_TYPE_".length()));
  }
}
