#!/bin/sh
# Every method of the API by grpcurl (https://github.com/fullstorydev/grpcurl), which learns it from the server.
#   examples/grpcurl.sh [HOST:PORT]
set -eu
target=${1:-localhost:9000}
call() { # METHOD JSON
  echo "== $1"
  grpcurl -plaintext -d "$2" "$target" "$1"
}
field() { # the value of a JSON field, first of its name
  sed -n 's/.*"'"$1"'": "\([^"]*\)".*/\1/p' | head -n 1
}

call alerts.AlertIngestion/SubmitAlert '{"alert_id": "alert-001", "source": "llm-sentinel", "title": "High Latency",
  "description": "P95 > 5s", "severity": 2, "type": 5}'
call alerts.AlertIngestion/SubmitAlerts '{"alerts": [{"source": "me", "title": "one"}, {"source": "me", "title": "two"}]}'
call alerts.AlertIngestion/HealthCheck '{}'

created=$(grpcurl -plaintext -d '{"source": "my-app", "title": "Service Down", "severity": "SEVERITY_P0",
  "type": "INCIDENT_TYPE_AVAILABILITY"}' "$target" incidents.IncidentService/CreateIncident)
echo "$created"
id=$(echo "$created" | field id)
call incidents.IncidentService/GetIncident "{\"id\": \"$id\"}"
call incidents.IncidentService/UpdateIncident "{\"id\": \"$id\", \"state\": \"INCIDENT_STATE_INVESTIGATING\", \"assignee\": \"ann\"}"
call incidents.IncidentService/AddNote "{\"id\": \"$id\", \"text\": \"the disk is full\"}"
call incidents.IncidentService/ResolveIncident "{\"id\": \"$id\", \"resolution\": \"made room\"}"
call incidents.IncidentService/ExplainAlert '{"source": "llm-sentinel", "alert_id": "alert-001"}'
call incidents.IncidentService/ListIncidents '{"page": 0, "page_size": 10}'

echo "== incidents.IncidentService/StreamIncidents, for 5 seconds"
grpcurl -plaintext -max-time 5 -d '{"min_severity": ["SEVERITY_P1"]}' "$target" incidents.IncidentService/StreamIncidents || true
