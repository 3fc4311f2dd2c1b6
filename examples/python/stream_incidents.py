import grpc
import incidents_pb2
import incidents_pb2_grpc

channel = grpc.insecure_channel('localhost:9000')
client = incidents_pb2_grpc.IncidentServiceStub(channel)

request = incidents_pb2.StreamIncidentsRequest(
    min_severity=[incidents_pb2.SEVERITY_P0]
)

for event in client.StreamIncidents(request):
    print(f"Event: {event.incident_id} - {event.event_type}")
