// Package words holds the list of words, compiled in.
package words

import (
	_ "embed"
	"strings"
)

//go:embed words.txt
var list string

// First gives the first word.
func First() string { return strings.Fields(list)[0] }
