FROM buildpack-deps:bookworm
ARG VERSION
ENV GOLANG_VERSION=$VERSION
ENV GOTOOLCHAIN=local GOPATH=/go
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY go/ /usr/local/go/
RUN mkdir -p /go/src /go/bin && chmod -R 1777 /go && go version
WORKDIR /go
