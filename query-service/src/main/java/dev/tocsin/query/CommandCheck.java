package dev.tocsin.query;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.schemas.IncidentId;
import java.util.List;
import java.util.Map;

/**
 * Holds commands to what incidents.proto says of them. Each check ends the request with
 * INVALID_ARGUMENT and every violation if there is any. Thread-safe.
 */
final class CommandCheck {
  static final int SOURCE_MAX = 256;
  static final int TITLE_MAX = 1024;
  static final int DESCRIPTION_MAX = 16_384;
  static final int ASSIGNEE_MAX = 256;
  static final int RESOLUTION_MAX = 4096;
  static final int NOTE_MAX = 4096;
  static final int LABELS_MAX = 64;
  static final int LABEL_VALUE_MAX = 1024;
  static final int METADATA_MAX = 64;
  static final int METADATA_VALUE_MAX = 8192;
  static final int KEY_MAX = 128;
  static final int RESOURCES_MAX = 128;
  static final int RESOURCE_MAX = 512;
  static final int REQUEST_ID_MAX = 128;

  private CommandCheck() {}

  static void check(CreateIncidentRequest request) {
    Violations faults = new Violations();
    new FieldCheck(faults)
        .required("source", request.getSource(), SOURCE_MAX)
        .required("title", request.getTitle(), TITLE_MAX)
        .text("description", request.getDescription(), DESCRIPTION_MAX)
        .known("severity", severity(request.getSeverityValue()), request.getSeverityValue())
        .known("type", IncidentType.forNumber(request.getTypeValue()), request.getTypeValue())
        .names(
            "affected_resources", request.getAffectedResourcesList(), RESOURCES_MAX, RESOURCE_MAX)
        .pairs("labels", request.getLabelsMap(), LABELS_MAX, KEY_MAX, LABEL_VALUE_MAX)
        .pairs("metadata", request.getMetadataMap(), METADATA_MAX, KEY_MAX, METADATA_VALUE_MAX)
        .text("request_id", request.getRequestId(), REQUEST_ID_MAX)
        .text("idempotency_key", request.getIdempotencyKey(), REQUEST_ID_MAX);
    faults.raise();
  }

  static void check(UpdateIncidentRequest request) {
    Violations faults = new Violations();
    FieldCheck fields = new FieldCheck(faults);
    if (request.hasState()) {
      fields.chosen("state", state(request.getStateValue()), request.getStateValue());
    }
    if (request.hasSeverity()) {
      fields.chosen("severity", severity(request.getSeverityValue()), request.getSeverityValue());
    }
    if (request.hasTitle()) {
      fields.required("title", request.getTitle(), TITLE_MAX);
    }
    fields
        .text("description", request.getDescription(), DESCRIPTION_MAX)
        .text("assignee", request.getAssignee(), ASSIGNEE_MAX)
        .pairs("labels", request.getLabelsMap(), LABELS_MAX, KEY_MAX, LABEL_VALUE_MAX)
        .names("remove_labels", request.getRemoveLabelsList(), LABELS_MAX, KEY_MAX);
    disjoint(request.getLabelsMap(), request.getRemoveLabelsList(), faults);
    if (changesNothing(request)) {
      faults.add("update", "changes nothing: give at least one field to change");
    }
    existing(
        request.getId(), request.getRequestId(), request.getExpectedRevision(), fields, faults);
  }

  static void check(ResolveIncidentRequest request) {
    Violations faults = new Violations();
    FieldCheck fields = new FieldCheck(faults);
    fields.text("resolution", request.getResolution(), RESOLUTION_MAX);
    existing(
        request.getId(), request.getRequestId(), request.getExpectedRevision(), fields, faults);
  }

  static void check(MergeIncidentRequest request) {
    Violations faults = new Violations();
    FieldCheck fields = new FieldCheck(faults);
    if (IncidentId.parse(request.getInto()).isEmpty()) {
      faults.add("into", "Invalid UUID");
    }
    existing(
        request.getId(), request.getRequestId(), request.getExpectedRevision(), fields, faults);
  }

  static void check(AddNoteRequest request) {
    Violations faults = new Violations();
    FieldCheck fields = new FieldCheck(faults);
    fields.required("text", request.getText(), NOTE_MAX);
    existing(
        request.getId(), request.getRequestId(), request.getExpectedRevision(), fields, faults);
  }

  /** What all commands to an incident that there is have in common; the last of their checks. */
  private static void existing(
      String id, String requestId, long revision, FieldCheck fields, Violations faults) {
    fields.text("request_id", requestId, REQUEST_ID_MAX).notNegative("expected_revision", revision);
    if (IncidentId.parse(id).isEmpty()) {
      faults.add("id", "Invalid UUID");
      faults.raise("Invalid UUID");
    }
    faults.raise();
  }

  private static void disjoint(Map<String, String> set, List<String> removed, Violations faults) {
    for (int i = 0; i < removed.size(); i++) {
      if (set.containsKey(removed.get(i))) {
        faults.add("remove_labels[" + i + "]", "is among the labels to set as well");
      }
    }
  }

  private static boolean changesNothing(UpdateIncidentRequest request) {
    return !request.hasState()
        && !request.hasSeverity()
        && !request.hasTitle()
        && !request.hasDescription()
        && !request.hasAssignee()
        && request.getLabelsCount() == 0
        && request.getRemoveLabelsCount() == 0;
  }

  private static Severity severity(int number) {
    return Severity.forNumber(number);
  }

  private static IncidentState state(int number) {
    return IncidentState.forNumber(number);
  }
}
