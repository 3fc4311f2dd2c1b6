//! Creates an incident, then follows all of severity P0 until it is stopped.
pub mod incidents {
    tonic::include_proto!("incidents");
}

use incidents::incident_service_client::IncidentServiceClient;
use incidents::{CreateIncidentRequest, IncidentType, Severity, StreamIncidentsRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut client = IncidentServiceClient::connect("http://localhost:9000").await?;

    let created = client
        .create_incident(CreateIncidentRequest {
            source: "my-app".into(),
            title: "Service down".into(),
            description: "The API does not respond".into(),
            severity: Severity::P0 as i32,
            r#type: IncidentType::Availability as i32,
            affected_resources: vec!["api-service".into()],
            ..Default::default()
        })
        .await?
        .into_inner();
    println!("Created incident: {}", created.incident.unwrap().id);

    let mut stream = client
        .stream_incidents(StreamIncidentsRequest {
            min_severity: vec![Severity::P0 as i32],
            ..Default::default()
        })
        .await?
        .into_inner();
    while let Some(event) = stream.message().await? {
        println!("Incident event: {} - {:?}", event.incident_id, event.event_type());
    }
    Ok(())
}
