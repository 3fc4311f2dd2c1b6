#!/bin/sh
# What the image runs: one part of Tocsin, configured by the environment (TOCSIN_EDGE_PORT is edge.port, and so on).
# JAVA_OPTS is given to java. The part becomes this process, so that SIGTERM reaches it.
set -eu
part=${1:-}
[ $# -eq 0 ] || shift
case $part in
  edge) main=dev.tocsin.ingest.EdgeMain ;;
  processor) main=dev.tocsin.processor.ProcessorMain ;;
  query) main=dev.tocsin.query.QueryMain ;;
  up)
    main=dev.tocsin.standalone.StandaloneMain
    set -- --data /var/lib/tocsin "$@"
    ;;
  *)
    echo "tocsin: there is no part '$part': say edge, processor, query or up" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # several options in one variable are meant
exec java -XX:+ExitOnOutOfMemoryError -XX:MaxRAMPercentage=60 ${JAVA_OPTS:-} -cp '/opt/tocsin/lib/*' "$main" "$@"
