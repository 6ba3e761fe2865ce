import locale

from aiohttp import web

locale.setlocale(locale.LC_ALL, "")


async def price(request):
    return web.Response(text=locale.format_string("%.2f", 1234567.5, grouping=True))


app = web.Application()
app.add_routes([web.get("/", price)])

if __name__ == "__main__":
    web.run_app(app, port=8000)
