package app;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import org.json.JSONObject;

public class Main {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        byte[] body = new JSONObject().put("hello", "java").toString().getBytes();
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
