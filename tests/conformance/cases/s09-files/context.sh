echo a > a; echo bb > b; chmod 600 a
