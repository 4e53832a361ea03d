# The sandbox in a container. Each vendor is simulated on port 4010:
#     docker build --tag mandat-sandbox .
#     docker run --rm --publish 127.0.0.1:4010:4010 mandat-sandbox
# Every machine that reaches the port can read and change all data in the sandbox, so publish it on loopback only.
FROM rust:1.89-slim-bookworm AS build
WORKDIR /mandat
COPY . .
RUN cargo build --release --locked --no-default-features --features cli --bin mandat

FROM debian:bookworm-slim
COPY --from=build /mandat/target/release/mandat /usr/local/bin/mandat
USER 10001
EXPOSE 4010
# More names, by which other containers reach the sandbox: `docker run mandat-sandbox --host sandbox:4010`.
ENTRYPOINT ["mandat", "sandbox", "--listen", "0.0.0.0:4010", "--host", "localhost:4010"]
