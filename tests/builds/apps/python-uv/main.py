from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def today(request):
    return JSONResponse({"today": "sun"})


app = Starlette(routes=[Route("/", today)])
