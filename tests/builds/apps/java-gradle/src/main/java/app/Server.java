package app;

import static spark.Spark.get;
import static spark.Spark.port;

public class Server {
    public static void main(String[] arguments) {
        port(4567);
        get("/", (request, answer) -> "from gradle");
    }
}
