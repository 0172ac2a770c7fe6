printf 'FROM localhost/base\nRUN <<-EOF\n\t\techo one > /one\n\techo two > /two\n\tEOF\nRUN cat <<-X > /x\n\t\tbody\n\tX\n'
