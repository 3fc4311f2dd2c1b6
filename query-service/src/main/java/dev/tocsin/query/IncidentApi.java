package dev.tocsin.query;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AddNoteResponse;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceImplBase;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.MergeIncidentResponse;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentResponse;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** IncidentService: each method goes to the part that answers it. None blocks; thread-safe. */
final class IncidentApi extends IncidentServiceImplBase {
  private final IncidentReads reads;
  private final IncidentCommands commands;
  private final IncidentStreams streams;
  private final AlertReads alerts;

  IncidentApi(
      IncidentReads reads, AlertReads alerts, IncidentCommands commands, IncidentStreams streams) {
    this.reads = reads;
    this.alerts = alerts;
    this.commands = commands;
    this.streams = streams;
  }

  @Override
  public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> replies) {
    reads.getIncident(request, replies);
  }

  @Override
  public void listIncidents(
      ListIncidentsRequest request, StreamObserver<ListIncidentsResponse> replies) {
    reads.listIncidents(request, replies);
  }

  @Override
  public void createIncident(
      CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> replies) {
    commands.createIncident(request, replies);
  }

  @Override
  public void updateIncident(
      UpdateIncidentRequest request, StreamObserver<UpdateIncidentResponse> replies) {
    commands.updateIncident(request, replies);
  }

  @Override
  public void resolveIncident(
      ResolveIncidentRequest request, StreamObserver<ResolveIncidentResponse> replies) {
    commands.resolveIncident(request, replies);
  }

  @Override
  public void mergeIncident(
      MergeIncidentRequest request, StreamObserver<MergeIncidentResponse> replies) {
    commands.mergeIncident(request, replies);
  }

  @Override
  public void addNote(AddNoteRequest request, StreamObserver<AddNoteResponse> replies) {
    commands.addNote(request, replies);
  }

  @Override
  public void streamIncidents(
      StreamIncidentsRequest request, StreamObserver<IncidentEvent> replies) {
    streams.stream(request, (ServerCallStreamObserver<IncidentEvent>) replies);
  }

  @Override
  public void explainAlert(
      ExplainAlertRequest request, StreamObserver<ExplainAlertResponse> replies) {
    alerts.explainAlert(request, replies);
  }
}
