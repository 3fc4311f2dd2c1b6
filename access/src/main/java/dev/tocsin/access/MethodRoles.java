package dev.tocsin.access;

import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.SilencesGrpc;
import io.grpc.MethodDescriptor;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which role each method asks for. What is not named here asks for the highest one, so that a new
 * method is closed until somebody thinks about it.
 */
final class MethodRoles {
  /** Anybody may ask how the server is. */
  private static final String PUBLIC =
      AlertIngestionGrpc.getHealthCheckMethod().getFullMethodName();

  private static final Set<String> REFLECTION =
      Set.of("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection");

  private static final Map<String, Role> ROLES = roles();

  private MethodRoles() {}

  private static Map<String, Role> roles() {
    Map<String, Role> roles = new HashMap<>();
    AlertIngestionGrpc.getServiceDescriptor()
        .getMethods()
        .forEach(method -> roles.put(method.getFullMethodName(), Role.PRODUCER));
    put(roles, Role.VIEWER, IncidentServiceGrpc.getGetIncidentMethod());
    put(roles, Role.VIEWER, IncidentServiceGrpc.getListIncidentsMethod());
    put(roles, Role.VIEWER, IncidentServiceGrpc.getStreamIncidentsMethod());
    put(roles, Role.VIEWER, IncidentServiceGrpc.getExplainAlertMethod());
    put(roles, Role.RESPONDER, IncidentServiceGrpc.getCreateIncidentMethod());
    put(roles, Role.RESPONDER, IncidentServiceGrpc.getUpdateIncidentMethod());
    put(roles, Role.RESPONDER, IncidentServiceGrpc.getResolveIncidentMethod());
    put(roles, Role.RESPONDER, IncidentServiceGrpc.getMergeIncidentMethod());
    put(roles, Role.RESPONDER, IncidentServiceGrpc.getAddNoteMethod());
    put(roles, Role.VIEWER, SilencesGrpc.getListSilencesMethod());
    put(roles, Role.VIEWER, SilencesGrpc.getPreviewSilenceMethod());
    put(roles, Role.RESPONDER, SilencesGrpc.getCreateSilenceMethod());
    put(roles, Role.RESPONDER, SilencesGrpc.getExpireSilenceMethod());
    put(roles, Role.VIEWER, AdminGrpc.getGetProgressMethod());
    put(roles, Role.OPERATOR, AdminGrpc.getGetDigestMethod());
    RulesGrpc.getServiceDescriptor()
        .getMethods()
        .forEach(method -> roles.put(method.getFullMethodName(), Role.OPERATOR));
    return Map.copyOf(roles);
  }

  private static void put(Map<String, Role> roles, Role role, MethodDescriptor<?, ?> method) {
    roles.put(method.getFullMethodName(), role);
  }

  /** Whether anybody may call it. */
  static boolean isPublic(MethodDescriptor<?, ?> method) {
    return method.getFullMethodName().equals(PUBLIC);
  }

  /** The role that the method asks for; empty if any caller may who is known. */
  static Optional<Role> of(MethodDescriptor<?, ?> method) {
    return REFLECTION.contains(method.getServiceName())
        ? Optional.empty()
        : Optional.of(ROLES.getOrDefault(method.getFullMethodName(), Role.OPERATOR));
  }
}
