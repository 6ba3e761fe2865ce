package main

import (
	"fmt"

	"example.com/words/internal/words"
)

func main() { fmt.Println(words.First()) }
