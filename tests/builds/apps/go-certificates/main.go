package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/notify/internal/trust"
	"github.com/go-chi/chi/v5"
)

func main() {
	zone, err := time.LoadLocation(os.Getenv("TZ"))
	if err != nil {
		log.Fatal(err)
	}
	router := chi.NewRouter()
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "in %s, trusts somebody: %t\n", zone, trust.Anybody())
	})
	log.Fatal(http.ListenAndServe(":9000", router))
}
