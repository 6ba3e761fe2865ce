import bottle

app = bottle.Bottle()


@app.get("/")
def index():
    return "bottled\n"
