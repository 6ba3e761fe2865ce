import flask
import psycopg2

app = flask.Flask(__name__)


@app.get("/")
def index():
    return "libpq " + str(psycopg2.__libpq_version__ > 0)


if __name__ == "__main__":
    app.run("0.0.0.0", 5000)
