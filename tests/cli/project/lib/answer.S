	.text
	.globl core_answer
	.type core_answer, %function
core_answer:
#if defined(__x86_64__)
	movl $42, %eax
	ret
#else
	mov w0, #42
	ret
#endif
	.size core_answer, . - core_answer
	.section .note.GNU-stack, "", %progbits
