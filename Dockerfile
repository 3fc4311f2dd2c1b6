# Every part of Tocsin in one image; which one runs is the command: edge, processor, query or up (all of it, with a broker).
# It takes what the build has left in standalone/target:   ./tocsin image   does both.
FROM eclipse-temurin:17-jre
RUN useradd --system --uid 10001 --home-dir /var/lib/tocsin --create-home tocsin
COPY standalone/target/lib /opt/tocsin/lib
COPY standalone/target/standalone.jar /opt/tocsin/lib/
COPY deploy/entrypoint.sh /opt/tocsin/bin/tocsin
USER tocsin
WORKDIR /var/lib/tocsin
VOLUME /var/lib/tocsin
EXPOSE 9000 9001 9090
# RocksDB allocates in many threads, each of which would have memory of its own.
ENV MALLOC_ARENA_MAX=2
ENTRYPOINT ["/opt/tocsin/bin/tocsin"]
CMD ["up"]
