"""Names of tree-sitter-bash's nodes that more than one part of the reader asks for."""

from __future__ import annotations

COMMANDS = frozenset(("command", "declaration_command", "unset_command"))
REDIRECTIONS = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))
#: What stands in a here-document besides its words.
HEREDOC_MARKS = frozenset(
    ("<<", "<<-", "file_descriptor", "heredoc_start", "heredoc_body", "heredoc_end")
)
