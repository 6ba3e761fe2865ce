package main

import (
	"net/http"

	"example.com/words/internal/words"
	"github.com/labstack/echo/v4"
)

func main() {
	e := echo.New()
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, words.First()) })
	e.Logger.Fatal(e.Start(":1323"))
}
