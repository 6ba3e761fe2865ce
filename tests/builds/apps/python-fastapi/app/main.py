from fastapi import FastAPI
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel

app = FastAPI(default_response_class=ORJSONResponse)


class Item(BaseModel):
    name: str
    price: float = 9.5


@app.get("/")
def read() -> Item:
    return Item(name="lamp")
