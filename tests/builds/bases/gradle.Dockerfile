# A stand-in: Debian's Gradle 4.4.1, which its maintainers made run with Java 17. No package registry
# has a newer one. It brings libraries of Debian's own JRE along, which the real image does not hold.
FROM eclipse-temurin:17-jdk
ENV GRADLE_HOME=/usr/share/gradle GRADLE_VERSION=4.4.1
RUN mkdir -p /usr/share/man/man1 \
    && apt-get update \
    && apt-get install -y --no-install-recommends gradle git unzip wget \
    && rm -rf /var/lib/apt/lists/* \
    && dpkg --purge --force-depends libasound2 libpcsclite1 \
    && groupadd --gid 1000 gradle \
    && useradd --uid 1000 --gid gradle --shell /bin/bash --create-home gradle \
    && gradle --version
CMD ["gradle"]
