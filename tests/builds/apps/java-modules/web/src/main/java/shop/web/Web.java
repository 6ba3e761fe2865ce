package shop.web;

import fi.iki.elonen.NanoHTTPD;
import java.io.IOException;
import shop.core.Catalogue;

public class Web extends NanoHTTPD {
    Web() {
        super(8080);
    }

    public static void main(String[] arguments) throws IOException {
        new Web().start(NanoHTTPD.SOCKET_READ_TIMEOUT, false);
    }

    @Override
    public Response serve(IHTTPSession session) {
        return newFixedLengthResponse(String.join(", ", Catalogue.articles()));
    }
}
