import grpc
import incidents_pb2
import incidents_pb2_grpc

# Create channel
channel = grpc.insecure_channel('localhost:9000')
client = incidents_pb2_grpc.IncidentServiceStub(channel)

# Create incident
request = incidents_pb2.CreateIncidentRequest(
    source="python-app",
    title="Database Connection Failed",
    description="Cannot connect to PostgreSQL",
    severity=incidents_pb2.SEVERITY_P0,
    type=incidents_pb2.INCIDENT_TYPE_INFRASTRUCTURE
)

response = client.CreateIncident(request)
print(f"Created incident: {response.incident.id}")
