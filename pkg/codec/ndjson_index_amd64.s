#include "go_asm.h"
#include "textflag.h"

// func markAVX2(x *marks, data *byte, n, at int)
//
// A turn takes 64 bytes. The bits of those that equal '"' (Y0) or '\\' (Y1) go to
// x.bits, their number so far to x.before. Of newlines (Y3), and of the colons
// (Y2) behind such a byte, the offsets are taken out of a word one by one: one
// and six of them without a look at how many there are, which no processor can
// foresee, and more where there are.
TEXT ·markAVX2(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), R8
	MOVQ data+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ at+24(FP), DX

	// Where the slices end.
	MOVQ marks_bits+0(R8), DI
	ADDQ marks_bits+8(R8), DI
	MOVQ marks_before+0(R8), R9
	MOVQ marks_before+8(R8), AX
	LEAQ (R9)(AX*4), R9
	MOVQ marks_keys+0(R8), R10
	MOVQ marks_keys+8(R8), AX
	LEAQ (R10)(AX*4), R10
	MOVQ marks_lines+0(R8), R15
	MOVQ marks_lines+8(R8), AX
	LEAQ (R15)(AX*4), R15
	MOVQ marks_count(R8), R11
	MOVQ marks_open(R8), R12

	MOVL $0x22, AX
	MOVQ AX, X0
	VPBROADCASTB X0, Y0
	MOVL $0x5C, AX
	MOVQ AX, X1
	VPBROADCASTB X1, Y1
	MOVL $0x3A, AX
	MOVQ AX, X2
	VPBROADCASTB X2, Y2
	MOVL $0x0A, AX
	MOVQ AX, X3
	VPBROADCASTB X3, Y3

turn:
	VMOVDQU (SI), Y4
	VMOVDQU 32(SI), Y5
	VPCMPEQB Y3, Y4, Y6
	VPCMPEQB Y3, Y5, Y7
	VPMOVMSKB Y6, AX
	VPMOVMSKB Y7, BX
	SHLQ $32, BX
	ORQ BX, AX                  // newlines
	POPCNTQ AX, R14
	LEAQ (R15)(R14*4), R14      // where their offsets will end
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R15)
	BLSRQ AX, AX
	JNZ lines

marked:
	MOVQ R14, R15
	VPCMPEQB Y0, Y4, Y6
	VPCMPEQB Y1, Y4, Y8
	VPCMPEQB Y0, Y5, Y7
	VPCMPEQB Y1, Y5, Y9
	VPCMPEQB Y2, Y4, Y4
	VPCMPEQB Y2, Y5, Y5
	VPOR Y6, Y8, Y6
	VPOR Y7, Y9, Y7
	VPMOVMSKB Y6, AX
	VPMOVMSKB Y7, BX
	SHLQ $32, BX
	ORQ BX, AX                  // marks
	MOVQ AX, (DI)
	MOVL R11, (R9)
	POPCNTQ AX, BX
	ADDQ BX, R11

	LEAQ (R12)(AX*2), BX        // what stands behind marks
	SHRQ $63, AX
	MOVQ AX, R12
	VPMOVMSKB Y4, AX
	VPMOVMSKB Y5, R13
	SHLQ $32, R13
	ORQ R13, AX
	ANDQ BX, AX                 // colons there
	POPCNTQ AX, R14
	LEAQ (R10)(R14*4), R14      // where their offsets will end
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R10)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, 4(R10)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, 8(R10)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, 12(R10)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, 16(R10)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, 20(R10)
	BLSRQ AX, AX
	JNZ keys

next:
	MOVQ R14, R10
	ADDQ $64, SI
	ADDQ $8, DI
	ADDQ $4, R9
	ADDQ $64, DX
	DECQ CX
	JNZ turn

	VZEROUPPER
	MOVQ R11, marks_count(R8)
	MOVQ R12, marks_open(R8)
	SUBQ marks_bits+0(R8), DI
	MOVQ DI, marks_bits+8(R8)
	SUBQ marks_before+0(R8), R9
	SHRQ $2, R9
	MOVQ R9, marks_before+8(R8)
	SUBQ marks_keys+0(R8), R10
	SHRQ $2, R10
	MOVQ R10, marks_keys+8(R8)
	SUBQ marks_lines+0(R8), R15
	SHRQ $2, R15
	MOVQ R15, marks_lines+8(R8)
	RET

lines:
	ADDQ $4, R15
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R15)
	BLSRQ AX, AX
	JNZ lines
	JMP marked

keys:
	ADDQ $20, R10

another:
	ADDQ $4, R10
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R10)
	BLSRQ AX, AX
	JNZ another
	JMP next

// The numbers of 64 bytes.
DATA numbers<>+0(SB)/8, $0x0706050403020100
DATA numbers<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA numbers<>+16(SB)/8, $0x1716151413121110
DATA numbers<>+24(SB)/8, $0x1f1e1d1c1b1a1918
DATA numbers<>+32(SB)/8, $0x2726252423222120
DATA numbers<>+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA numbers<>+48(SB)/8, $0x3736353433323130
DATA numbers<>+56(SB)/8, $0x3f3e3d3c3b3a3938
GLOBL numbers<>(SB), RODATA|NOPTR, $64

// func markAVX512(x *marks, data *byte, n, at int)
//
// As markAVX2, but the offsets of colons are taken out of a word 16 at a time:
// of the numbers of all bytes (Z10) those of the colons are moved together.
TEXT ·markAVX512(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), R8
	MOVQ data+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ at+24(FP), DX

	// Where the slices end.
	MOVQ marks_bits+0(R8), DI
	ADDQ marks_bits+8(R8), DI
	MOVQ marks_before+0(R8), R9
	MOVQ marks_before+8(R8), AX
	LEAQ (R9)(AX*4), R9
	MOVQ marks_keys+0(R8), R10
	MOVQ marks_keys+8(R8), AX
	LEAQ (R10)(AX*4), R10
	MOVQ marks_lines+0(R8), R15
	MOVQ marks_lines+8(R8), AX
	LEAQ (R15)(AX*4), R15
	MOVQ marks_count(R8), R11
	MOVQ marks_open(R8), R12

	MOVL $0x22, AX
	VPBROADCASTB AX, Z0
	MOVL $0x5C, AX
	VPBROADCASTB AX, Z1
	MOVL $0x3A, AX
	VPBROADCASTB AX, Z2
	MOVL $0x0A, AX
	VPBROADCASTB AX, Z3
	VMOVDQU64 numbers<>(SB), Z10
	VPBROADCASTD DX, Z11
	MOVL $64, AX
	VPBROADCASTD AX, Z12

turn:
	VMOVDQU64 (SI), Z4
	VPCMPEQB Z0, Z4, K1
	VPCMPEQB Z1, Z4, K2
	VPCMPEQB Z2, Z4, K3
	VPCMPEQB Z3, Z4, K4
	KORQ K1, K2, K1
	KMOVQ K1, AX                // marks
	MOVQ AX, (DI)
	MOVL R11, (R9)
	POPCNTQ AX, BX
	ADDQ BX, R11
	LEAQ (R12)(AX*2), R13       // what stands behind marks
	SHRQ $63, AX
	MOVQ AX, R12
	KMOVQ K3, BX
	ANDQ R13, BX                // colons there
	KMOVQ BX, K3
	VPCOMPRESSB.Z Z10, K3, Z5
	VPMOVZXBD X5, Z6
	VPADDD Z11, Z6, Z6
	VMOVDQU32 Z6, (R10)
	POPCNTQ BX, BX
	CMPQ BX, $16
	JHI keys

marked:
	LEAQ (R10)(BX*4), R10
	KMOVQ K4, AX                // newlines
	POPCNTQ AX, BX
	LEAQ (R15)(BX*4), R14
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R15)
	BLSRQ AX, AX
	JNZ lines

next:
	MOVQ R14, R15
	VPADDD Z12, Z11, Z11
	ADDQ $64, SI
	ADDQ $8, DI
	ADDQ $4, R9
	ADDQ $64, DX
	DECQ CX
	JNZ turn

	VZEROUPPER
	MOVQ R11, marks_count(R8)
	MOVQ R12, marks_open(R8)
	SUBQ marks_bits+0(R8), DI
	MOVQ DI, marks_bits+8(R8)
	SUBQ marks_before+0(R8), R9
	SHRQ $2, R9
	MOVQ R9, marks_before+8(R8)
	SUBQ marks_keys+0(R8), R10
	SHRQ $2, R10
	MOVQ R10, marks_keys+8(R8)
	SUBQ marks_lines+0(R8), R15
	SHRQ $2, R15
	MOVQ R15, marks_lines+8(R8)
	RET

keys:
	VEXTRACTI128 $1, Y5, X7
	VPMOVZXBD X7, Z7
	VPADDD Z11, Z7, Z7
	VMOVDQU32 Z7, 64(R10)
	JMP marked

lines:
	ADDQ $4, R15
	TZCNTQ AX, BX
	ADDQ DX, BX
	MOVL BX, (R15)
	BLSRQ AX, AX
	JNZ lines
	JMP next
