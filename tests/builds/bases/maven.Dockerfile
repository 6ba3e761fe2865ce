FROM eclipse-temurin:17-jdk
ENV MAVEN_HOME=/usr/share/maven MAVEN_CONFIG=/root/.m2
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY maven/ /usr/share/maven/
# A download that stands still ends the build: Maven itself waits for half an hour.
RUN echo 'MAVEN_OPTS="$MAVEN_OPTS -Daether.connector.requestTimeout=60000"' > /etc/mavenrc
RUN ln -s /usr/share/maven/bin/mvn /usr/bin/mvn \
    && printf '#!/bin/sh\nexec "$@"\n' > /usr/local/bin/mvn-entrypoint.sh \
    && chmod +x /usr/local/bin/mvn-entrypoint.sh \
    && mvn --version
ENTRYPOINT ["/usr/local/bin/mvn-entrypoint.sh"]
CMD ["mvn"]
