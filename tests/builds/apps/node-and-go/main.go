package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/api/health", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	http.Handle("/", http.FileServer(http.Dir("./web/dist")))
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
