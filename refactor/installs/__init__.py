"""What an install of dependencies reads from the build context, tool by tool."""
