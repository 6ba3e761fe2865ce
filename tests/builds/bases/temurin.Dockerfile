# Debian's OpenJDK at Temurin's place.
FROM debian:bookworm-slim AS packages
ARG KIND
RUN mkdir -p /usr/share/man/man1 \
    && apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-$KIND-headless ca-certificates \
    && find /usr/lib/jvm/ -xtype l -delete \
    && mkdir -p /opt/java \
    && cp -aL /usr/lib/jvm/java-17-openjdk-amd64 /opt/java/openjdk \
    && rm -rf /opt/java/openjdk/docs /opt/java/openjdk/man

FROM debian:bookworm-slim
ENV JAVA_HOME=/opt/java/openjdk
ENV PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=en_US.UTF-8 LANGUAGE=en_US:en LC_ALL=C.UTF-8
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl fontconfig libfreetype6 \
        libjpeg62-turbo liblcms2-2 libharfbuzz0b p11-kit tzdata \
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/java/openjdk /opt/java/openjdk
RUN java -version
CMD ["jshell"]
