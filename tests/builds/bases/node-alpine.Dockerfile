# A build of Node for musl on the stand-in for Alpine; its user is there already, npm is left out:
# this base is one to be wrong with.
FROM alpine:3.20
ARG VERSION
ENV NODE_VERSION=$VERSION
COPY node/bin/node /usr/local/bin/
COPY libraries/ /usr/lib/
RUN node --version
CMD ["node"]
