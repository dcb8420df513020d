# Aliases; the scripts need no make.
.PHONY: demo test bench lint install
demo test bench lint install:
	@sh scripts/$@
