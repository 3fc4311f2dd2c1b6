// Creates an incident. To build it, with Go 1.21 or later, protoc, protoc-gen-go and protoc-gen-go-grpc:
//
//	cd examples/go && mkdir pb
//	protoc -I../../proto --go_out=pb --go_opt=paths=source_relative --go-grpc_out=pb --go-grpc_opt=paths=source_relative \
//	  --go_opt=Mincidents.proto=example/pb --go-grpc_opt=Mincidents.proto=example/pb incidents.proto
//	go mod init example && go mod tidy && go run .
package main

import (
	"context"
	"log"
	"time"

	pb "example/pb"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	conn, err := grpc.Dial("localhost:9000", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := pb.NewIncidentServiceClient(conn)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := client.CreateIncident(ctx, &pb.CreateIncidentRequest{
		Source:      "go-app",
		Title:       "Memory leak detected",
		Description: "The heap grows without end",
		Severity:    pb.Severity_SEVERITY_P1,
		Type:        pb.IncidentType_INCIDENT_TYPE_PERFORMANCE,
		// Asked again under the same id, it answers the same and opens nothing more.
		RequestId: "go-example-1",
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("Created incident: %s", resp.Incident.Id)
}
