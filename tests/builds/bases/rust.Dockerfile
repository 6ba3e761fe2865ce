FROM buildpack-deps:bookworm
ARG VERSION
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin RUST_VERSION=$VERSION
COPY rust/ /usr/local/
RUN chmod -R a+w /usr/local/cargo && cargo --version
